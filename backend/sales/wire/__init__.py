"""From a batch's bytes to frozen structs: split, read strictly, bounded, fingerprinted. Pure: no database, no clock."""
