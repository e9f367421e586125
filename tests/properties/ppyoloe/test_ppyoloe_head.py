"""The box loss of PaddleDetection's own PP-YOLOE head is its papers' L1, GIoU and DFL.

The head selects its positives with `paddle.masked_select`; where that is wrong, so are the losses.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from properties.cases.case import verify
from properties.cases.loss_cases import head_cases, over_ranges
from properties.detection.box_loss_questions import box_loss_steps
from properties.detection.real_head import head_gradients, head_losses, head_without_positives
from properties.oracle.box_loss import RegRange


@over_ranges
@given(data=st.data())
def test_losses_match(reg_range: RegRange, data: st.DataObject) -> None:
    verify(data.draw(head_cases(head_losses, reg_range)))


@over_ranges
@given(data=st.data())
def test_gradients_match(reg_range: RegRange, data: st.DataObject) -> None:
    verify(data.draw(head_cases(head_gradients, reg_range)))


@over_ranges
@given(data=st.data())
def test_without_positives_there_is_no_loss(reg_range: RegRange, data: st.DataObject) -> None:
    verify(data.draw(head_cases(head_without_positives, reg_range, "none")))


@over_ranges
@given(data=st.data())
def test_each_step_of_the_box_loss_matches(reg_range: RegRange, data: st.DataObject) -> None:
    verify(data.draw(head_cases(box_loss_steps, reg_range)))
