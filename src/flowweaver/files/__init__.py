"""Files as values: what counts is what is in them.

- `content`: a file or folder to a digest.
- `remembered`: digests kept across processes, so that an unchanged file is not read again.
- `input`: the mark of a path whose content counts.
- `output`: the path of a file that a task makes, written whole or not at all.
- `within`: the paths that a value holds, at any depth.
- `seen`: what a body was seen to read and to leave, and whether what it read is still the same.
"""
