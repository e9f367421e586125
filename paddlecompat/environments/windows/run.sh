#!/usr/bin/env bash
# Run a Windows program by Wine, and end as it ended.
# VARIABLES
set -o pipefail
ulimit -c 0

# Through pipes: Windows' Python does not start with an output that is a file and that Wine has not
# opened itself (https://bugs.winehq.org, Wine 8).
{ wine PROGRAM "$@" 2>&1 >&3 3>&- | cat >&2; } 3>&1 | cat
status=$?

# Of Windows' 32 bits Unix sees the last eight. 0xC0000005 is an access violation, 0xC00000FD an
# overflow of the stack: on Unix, SIGSEGV.
case $status in 5 | 253) kill -SEGV $$ ;; esac
exit $status
