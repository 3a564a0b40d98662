"""Texts that become HTML, plain text or reStructuredText: nothing of them is taken for markup."""

import pytest
from docutils.core import publish_parts
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError

from bnbench.wording import templating

pieces = st.lists(st.sampled_from(["a", "B_", "_c", "*", "**", "`", "``", "|", "\\", "{{", "}}", "{%", "%}", "# x"]))


@given(pieces.map(lambda found: "x " + " y ".join(found) + " z"))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_plain_text_survives_a_template_of_restructured_text(text):
    rendered = Environment(autoescape=True).from_string(templating.rst(text)).render()
    body = publish_parts(rendered, writer="html", settings_overrides={"report_level": 1})["html_body"]
    assert "system-message" not in body
    assert publish_parts(templating.rst("x"), writer="html")["html_body"].replace("x", text) == body


def test_plain_text_is_not_escaped_and_stands_on_one_line():
    assert templating.rendered("{{ a }}\n  &\n", a="<b>") == "<b> &"


def test_a_name_that_is_not_given_is_an_error():
    with pytest.raises(UndefinedError, match="b"):
        templating.rendered("{{ b }}", a=1)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("p < 0.05 [close to its edge] at 5 & 6", "p < 0.05 [close to its edge] at 5 & 6"),
        ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
        ("<!-- -->", r"\<!-- -->"),
        ("a | b \\| c", r"a \| b \\\| c"),
        ("`code` and **bold** and _slanted_", r"\`code\` and \*\*bold\*\* and \_slanted\_"),
        ("[here](https://a.b) ![x](y) [a]: b [c][d]", r"[here\](https://a.b) ![x\](y) [a\]: b [c\][d]"),
        ("&lt;b&gt; &#60;", r"\&lt;b\&gt; \&#60;"),
        ("one\n two", "one two"),
    ],
)
def test_plain_text_in_markdown_is_no_markup(text, cell):
    assert templating.markdown(text) == cell
