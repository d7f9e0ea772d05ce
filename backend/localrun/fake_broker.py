"""fakeredis as a broker, for machines without a Redis binary: `python -m backend.localrun.fake_broker PORT`."""

import sys

from fakeredis import TcpFakeServer


def main() -> None:
    TcpFakeServer(("127.0.0.1", int(sys.argv[1]))).serve_forever()


if __name__ == "__main__":
    main()
