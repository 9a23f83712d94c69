"""Loads a pharmacy's CSV files into the database: `python -m infra.importer FOLDER`."""
