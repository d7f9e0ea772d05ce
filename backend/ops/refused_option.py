"""An option that carried a secret in earlier versions: refused with a sentence that says where the secret goes."""

from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from typing import NoReturn


def refuse_option(parser: ArgumentParser, option: str, *, sentence: str) -> None:
    """Let `parser` end with `sentence` wherever `option` is given, with a value or without.

    Every user of the machine can read a command line, and a random value that begins with - is taken for an option.
    """
    parser.add_argument(option, action=_Refused, nargs="?", const=sentence, default=SUPPRESS, help=SUPPRESS)


class _Refused(Action):
    def __call__(
        self, parser: ArgumentParser, _namespace: Namespace, _values: object, _option_string: str | None = None
    ) -> NoReturn:
        parser.error(str(self.const))
