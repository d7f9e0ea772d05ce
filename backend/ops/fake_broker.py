"""fakeredis as a broker of its own: `python -m backend.ops.fake_broker PORT`, for machines without a Redis binary."""

import sys

from fakeredis import TcpFakeServer


def main() -> None:
    TcpFakeServer(("127.0.0.1", int(sys.argv[1]))).serve_forever()


if __name__ == "__main__":
    main()
