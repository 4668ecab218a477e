"""Tokens to text, piece by piece, whole characters only. Knows no engine."""

from collections.abc import Callable, Sequence

_CUT = "\N{REPLACEMENT CHARACTER}"  # what decoders write for the first bytes of an unfinished character


class Pieces:
    """The text of a growing row of tokens. A character is held back until all its bytes are there."""

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._tokens: list[int] = []
        self._given = 0  # characters handed out so far

    def add(self, tokens: Sequence[int]) -> str:
        """Return the text that these tokens complete; "" while a character is unfinished."""
        self._tokens.extend(tokens)
        text = self._decode(self._tokens)
        whole = text.rstrip(_CUT)
        piece = whole[self._given :]
        self._given = max(self._given, len(whole))
        return piece

    def rest(self) -> str:
        """Return what is still held back; call it once, after the last token."""
        return self._decode(self._tokens)[self._given :]
