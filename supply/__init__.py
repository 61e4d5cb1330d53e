"""Where what is delivered comes from: licences, the list of parts (SBOM), known vulnerabilities, the same bytes twice.

`python -m supply licences|sbom|audit|same-twice`; docs/supply.md says what each promises.
"""
