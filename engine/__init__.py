"""Numbers only: terms in, arrays through kernels, frozen results out.

No Qt, no pandas, no SQL, no files (the import contracts in pyproject.toml say so).
"""
