"""One sale, one transaction, one outcome: what workers and sweeps run."""
