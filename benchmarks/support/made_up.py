"""Questions to a bank that were made up from parts, for measures of speed on a machine without Banking77.

As many as there, about as long, with as many labels: 10,003 to teach and 3,080 to ask, 77 labels. An accuracy
from them would say nothing, so nothing that measures one takes them.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

TAUGHT, ASKED = 10_003, 3_080

SUBJECTS = {
    "card_arrival": "my new card",
    "bank_transfer": "the transfer to my landlord",
    "cash_withdrawal": "the cash that I took out",
    "exchange_rate": "the exchange rate for euros",
    "phone_number": "my phone number",
    "top_up": "the top up by cheque",
    "refund_status": "the refund for my shoes",
    "direct_debit": "the direct debit of the gym",
    "virtual_card": "the virtual card",
    "pin_code": "the PIN of my card",
    "identity_check": "the check of my passport",
}
ASKS = {
    "pending": "why is {} still pending",
    "missing": "I cannot find {} anywhere",
    "wrong": "there is a mistake with {}",
    "change": "I would like to change {}",
    "cancel": "how do I cancel {}",
    "fee": "what did you charge me for {}",
    "limit": "is there a limit for {}",
}
OPENINGS = ("Hello,", "Hi,", "Please,", "Now:", "So,", "Sorry,", "Again,", "Well,", "Hey,", "Also,")
ENDINGS = (
    "on {}.",
    "since {}.",
    "for {}.",
    "by {}.",
    "from {}?",
    "until {}?",
    "in {}?",
    "after {}.",
    "({})",
    "- {}!",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "May", "June", "July")


class Row(NamedTuple):
    """A question and its label, as a data set has them."""

    input: str
    output: str


def rows(part: str) -> list[dict[str, str]]:
    """Return the questions of a part, "train" or "test": all different, in an order that is always the same."""
    labels = list(product(SUBJECTS, ASKS))
    about = product(labels, OPENINGS, ENDINGS, DAYS)
    every = [_question(*one) for one in about]
    order = np.random.default_rng(77).permutation(len(every))
    chosen = order[:TAUGHT] if part == "train" else order[TAUGHT : TAUGHT + ASKED]
    return [every[i]._asdict() for i in chosen]


def _question(label: tuple[str, str], opening: str, ending: str, day: str) -> Row:
    subject, ask = label
    text = f"{opening} {ASKS[ask].format(SUBJECTS[subject])} {ending.format(day)}"
    return Row(text, f"{subject}_{ask}")
