"""What a deployment uploads: one zip a function, with its own code, the shared library and its own packages.

`dependencies` installs all packages once for a platform and picks each function's share, `slimming` takes
away what never runs, `artifacts` zips it. `plugin.mjs` makes osls use the zips, so that there is no way to
deploy a function without its packages.
"""
