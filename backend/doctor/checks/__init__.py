"""The checks, by what they examine. Importing a module registers its checks; doctor/catalogue.py imports all."""
