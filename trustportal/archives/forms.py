"""The forms of this feature: shape only."""

from __future__ import annotations

from wtforms.validators import Length, Optional

from trustportal.forms import ChoiceField, Given, LongTextField, PortalForm, RadiosField, TextField, choices

#: The value of the whole trust in the list of places.
WHOLE = "trust"


class AskForm(PortalForm):
    """Of what, with or without cases, and why."""

    place = ChoiceField("What do you want to take away?")
    with_cases = RadiosField(
        "Records of cases",
        [Given("Say whether case records are wanted.")],
        choices=choices(
            [
                ("no", "Without case records"),
                ("yes", "With case records, after two people agreed"),
            ]
        ),
        default="no",
    )
    reason = LongTextField(
        "Why?",
        [Given("Say why, in a sentence."), Length(max=400, message="Use up to 400 characters.")],
        description="It stands beside the request, and whoever has to agree reads it.",
    )


class AnswerForm(PortalForm):
    """Whether somebody agrees; why not."""

    answer = TextField("Answer", [Given("Choose one of the answers.")])
    reason = TextField("Why not?", [Optional(), Length(max=400)])
