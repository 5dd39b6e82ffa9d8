"""The weights that ship: `tagger.safetensors` and `words.safetensors`, described in `TAGGER.md`."""
