"""Refuses an option that carried a secret in earlier versions, and says where the secret goes now."""

from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from typing import NoReturn


def refuse_option(parser: ArgumentParser, option: str, *, sentence: str) -> None:
    """Make `parser` end with `sentence` if `option` is given, with or without a value.

    Every user of the machine can read a command line, and a random value that begins with - looks like an option.
    """
    parser.add_argument(option, action=_Refused, nargs="?", const=sentence, default=SUPPRESS, help=SUPPRESS)


class _Refused(Action):
    def __call__(
        self, parser: ArgumentParser, _namespace: Namespace, _values: object, _option_string: str | None = None
    ) -> NoReturn:
        parser.error(str(self.const))
