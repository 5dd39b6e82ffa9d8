"""How `foleyspace.prompt` reads words: characters to tokens, phrases, clauses, places, times and ways."""
