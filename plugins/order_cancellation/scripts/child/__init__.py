"""What runs inside the script's own process; imports the standard library and nothing else of ours.

The process is started as ``python -I -S child/start.py`` and loads this folder by its path, so that no
package of the installation is in reach of a script.

Its modules import as little as they can, and no ``typing``: each import is a part of every script's start.
"""
