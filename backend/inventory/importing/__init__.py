"""Import of articles from spreadsheets: read, planned and previewed, then carried out whole or not at all."""
