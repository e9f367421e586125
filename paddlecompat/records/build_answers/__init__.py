"""What a build answers without a GPU: by its own code, and by its host half."""
