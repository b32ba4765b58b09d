"""Three themes and the inks drawn from them. No other module names a colour.

An *ink* is the meaning of a piece of text (late, at risk, dim), a *ground* what it stands on (a row, a note).
Red is kept for a promise that is broken and for a failure; one accent marks where you are.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.theme import Theme

__all__ = ["DARK", "LIGHT", "MONO", "THEMES", "Inks"]

_INKS = ("text", "dim", "faint", "strong", "accent", "late", "risk", "good", "note", "title")
_GROUNDS = ("base", "cursor", "marked", "panel", "bar", "note", "match", "tab", "alert")


def _theme(name: str, dark: bool, inks: dict[str, str], grounds: dict[str, str]) -> Theme:
    variables = {f"ink-{word}": colour for word, colour in inks.items()}
    variables |= {f"ground-{word}": colour for word, colour in grounds.items()}
    variables |= {
        "scrollbar": grounds["cursor"],
        "scrollbar-hover": inks["dim"],
        "scrollbar-active": inks["accent"],
        "scrollbar-background": grounds["base"],
        "scrollbar-background-hover": grounds["base"],
        "scrollbar-background-active": grounds["base"],
        "scrollbar-corner-color": grounds["base"],
        "input-cursor-background": inks["text"],
        "input-cursor-foreground": grounds["base"],
        "input-selection-background": f"{inks['accent']} 35%",
        "border": inks["accent"],
        "border-blurred": inks["faint"],
    }
    return Theme(
        name=name,
        primary=inks["accent"],
        secondary=inks["dim"],
        accent=inks["accent"],
        warning=inks["risk"],
        error=inks["late"],
        success=inks["good"],
        foreground=inks["text"],
        background=grounds["base"],
        surface=grounds["base"],
        panel=grounds["panel"],
        dark=dark,
        variables=variables,
    )


DARK = _theme(
    "desk-dark",
    dark=True,
    inks={
        "text": "#c9d1d9",
        "dim": "#8b95a1",
        "faint": "#5b6572",
        "strong": "#f0f4f8",
        "accent": "#6cb6ff",
        "late": "#ff6b6b",
        "risk": "#e3b341",
        "good": "#7bc275",
        "note": "#d9c27c",
        "title": "#8b95a1",
    },
    grounds={
        "base": "#11151b",
        "cursor": "#233247",
        "marked": "#1a2430",
        "panel": "#171c24",
        "bar": "#1b222c",
        "note": "#211f17",
        "match": "#5a4a12",
        "tab": "#2a3a50",
        "alert": "#3a1d22",
    },
)

LIGHT = _theme(
    "desk-light",
    dark=False,
    inks={
        "text": "#24292f",
        "dim": "#5f6873",
        "faint": "#8c959f",
        "strong": "#0b1117",
        "accent": "#0757b8",
        "late": "#c01c28",
        "risk": "#8a5300",
        "good": "#1a7f37",
        "note": "#6b5310",
        "title": "#5f6873",
    },
    grounds={
        "base": "#fbfbfa",
        "cursor": "#cfe2f8",
        "marked": "#e9f0f8",
        "panel": "#f2f3f3",
        "bar": "#e8eaec",
        "note": "#fbf3d7",
        "match": "#ffe08a",
        "tab": "#cfdff2",
        "alert": "#fde3e3",
    },
)

MONO = Theme(
    name="desk-mono",
    primary="ansi_default",
    secondary="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    success="ansi_default",
    accent="ansi_default",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    ansi=True,
    variables={
        "input-cursor-text-style": "reverse",
        **{f"ink-{word}": "ansi_default" for word in _INKS},
        **{f"ground-{word}": "ansi_default" for word in _GROUNDS},
        **dict.fromkeys(
            (
                "scrollbar",
                "scrollbar-hover",
                "scrollbar-active",
                "scrollbar-background",
                "scrollbar-background-hover",
                "scrollbar-background-active",
                "scrollbar-corner-color",
                "border",
                "border-blurred",
                "ansi-background",
                "ansi-foreground",
                "input-selection-background",
                "input-selection-foreground",
                "screen-selection-background",
                "screen-selection-foreground",
                "block-cursor-background",
                "block-cursor-foreground",
            ),
            "ansi_default",
        ),
    },
)
"""Terminal colours only, states told by words, signs, bold, underline and reverse."""

THEMES = (DARK, LIGHT, MONO)

_MONO_INKS = {
    "dim": Style(dim=True),
    "faint": Style(dim=True),
    "strong": Style(bold=True),
    "accent": Style(bold=True),
    "late": Style(bold=True, underline=True),
    "risk": Style(bold=True),
    "title": Style(dim=True),
}
_MONO_GROUNDS = {
    "cursor": Style(reverse=True),
    "match": Style(reverse=True),
    "tab": Style(reverse=True),
    "alert": Style(bold=True),
}
_BOLD_INKS = frozenset({"strong"})


class Inks:
    """Rich styles for ink and ground, made once for a theme and kept."""

    def __init__(self, variables: Mapping[str, str], mono: bool) -> None:
        self._variables = variables
        self._mono = mono
        self._styles: dict[tuple[str, str], Style] = {}

    def __call__(self, ink: str, ground: str = "base") -> Style:
        """The style for an ink on a ground; an unknown name raises KeyError."""
        style = self._styles.get((ink, ground))
        if style is None:
            style = self._styles[ink, ground] = self._make(ink, ground)
        return style

    def _make(self, ink: str, ground: str) -> Style:
        if self._mono:
            plain = Style()
            style = _MONO_INKS.get(ink, plain) + _MONO_GROUNDS.get(ground, plain)
            # Reverse and dim together are unreadable on some terminals.
            return style + Style(dim=False) if ground in ("cursor", "tab", "match") else style
        return Style(
            color=self._variables[f"ink-{ink}"],
            bgcolor=self._variables[f"ground-{ground}"],
            bold=True if ink in _BOLD_INKS else None,
        )
