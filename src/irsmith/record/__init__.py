"""Record what a running program lowers, and make a dataset of it.

The recorded program imports parts of this package, so that nothing heavy may stand here; see
`irsmith.record.recording.record`.
"""
