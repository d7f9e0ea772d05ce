"""The checks, by what they look at. Importing a module registers its own; doctor/catalogue.py imports all."""
