"""How far one sound is from another: plain functions on arrays, one family a file.

Binaural sound is (2, n) at `rate` Hz, ear 0 left. `estimate` is what a system made, `truth` what it should
have made. All raise `InputError` for arrays that are not binaural, not finite, empty or of other lengths.
"""
