"""What a library of videos needs: listing, names, the ledger, engines, the report. `pipelines/batch.py`."""
