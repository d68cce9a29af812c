"""What Python 2 and Jython spelled otherwise, and today's spelling of it."""

from __future__ import annotations

import re

__all__ = ["METHODS", "MODULES", "MODULE_NAMES", "NAMES", "runtime_hint"]

NAMES = {
    "unicode": "str",
    "basestring": "str",
    "long": "int",
    "unichr": "chr",
    "xrange": "range",
    "raw_input": "input_text (a script has no keyboard)",
    "reduce": "from functools import reduce",
    "cmp": "(a > b) - (a < b)",
    "reload": "nothing: leave out reload(sys) and sys.setdefaultencoding, text is Unicode already",
    "execfile": "nothing: a script is one file",
    "file": "nothing: scripts have no files",
    "apply": "function(*arguments)",
    "buffer": "memoryview",
    "intern": "sys.intern",
    "coerce": "nothing: leave it out",
    "StandardError": "Exception",
}
"""Built-in names that are gone."""

METHODS = {
    "has_key": "key in dictionary",
    "iteritems": "items()",
    "iterkeys": "keys()",
    "itervalues": "values()",
    "viewitems": "items()",
    "viewkeys": "keys()",
    "viewvalues": "values()",
}
"""Methods of dictionaries that are gone."""

MODULES = {
    "urllib2": "requests, or import urllib.request",
    "urlparse": "from urllib.parse import urlparse",
    "httplib": "import http.client, or requests",
    "cookielib": "import http.cookiejar",
    "StringIO": "import io; io.StringIO()",
    "cStringIO": "import io; io.StringIO()",
    "ConfigParser": "import configparser",
    "Queue": "import queue",
    "HTMLParser": "from html.parser import HTMLParser",
    "htmlentitydefs": "import html.entities",
    "cPickle": "import json",
    "md5": "import hashlib; hashlib.md5(…)",
    "sha": "import hashlib; hashlib.sha1(…)",
    "sets": "set(…)",
    "exceptions": "nothing: exceptions need no import",
    "commands": "nothing: scripts can't start programs",
    "__builtin__": "import builtins",
    "xmlrpclib": "import xmlrpc.client",
    "BaseHTTPServer": "nothing: scripts can't serve",
    "SocketServer": "nothing: scripts can't serve",
    "thread": "nothing: scripts can't start threads",
    "simplejson": "import json",
    "sys.setdefaultencoding": "nothing: leave it out, text is Unicode already",
}
"""Modules that have another name, or none."""

MODULE_NAMES = {
    "string.letters": "string.ascii_letters",
    "string.lowercase": "string.ascii_lowercase",
    "string.uppercase": "string.ascii_uppercase",
    "string.maketrans": "str.maketrans",
    **{
        f"string.{name}": f"text.{name}(…)"
        for name in ("lower", "upper", "strip", "replace", "split", "zfill")
    },
    "string.join": "separator.join(parts)",
    "string.atoi": "int(text)",
    "string.atof": "float(text)",
    "urllib.urlencode": "from urllib.parse import urlencode",
    "urllib.quote": "from urllib.parse import quote",
    "urllib.quote_plus": "from urllib.parse import quote_plus",
    "urllib.unquote": "from urllib.parse import unquote",
    "urllib.unquote_plus": "from urllib.parse import unquote_plus",
    "urllib.urlopen": "from urllib.request import urlopen",
    "sys.maxint": "sys.maxsize",
    "sys.setdefaultencoding": "nothing: leave it out, text is Unicode already",
    "sys.exc_clear": "nothing: leave it out",
    "sys.exc_type": "sys.exc_info()[0]",
    "os.getcwdu": "os.getcwd()",
    "itertools.izip": "zip",
    "itertools.imap": "map",
    "itertools.ifilter": "filter",
    "itertools.izip_longest": "itertools.zip_longest",
    "itertools.ifilterfalse": "itertools.filterfalse",
    "time.clock": "time.perf_counter()",
    "base64.encodestring": "base64.encodebytes(…)",
    "base64.decodestring": "base64.decodebytes(…)",
    "inspect.getargspec": "inspect.getfullargspec",
    "types.StringType": "str",
    "types.UnicodeType": "str",
    "types.ListType": "list",
    "types.DictType": "dict",
    "types.IntType": "int",
    "collections.Mapping": "collections.abc.Mapping",
    "collections.Iterable": "collections.abc.Iterable",
}
"""Names in modules that are gone."""

_PATTERNS: list[tuple[str, str]] = [
    (r"'str' object has no attribute 'decode'", "leave .decode(…) out: it is text already"),
    (r"'bytes' object has no attribute 'encode'", "leave .encode(…) out: these are bytes already"),
    (r"'(dict_keys|dict_values|dict_items|map|filter|zip|range)' object is not subscriptable", "list(…)[0]"),
    (
        r"'(dict_keys|dict_values|dict_items|map|filter|zip|range)' object has no attribute",
        "list(…) or sorted(…)",
    ),
    (r"object of type '(map|filter|zip)' has no len", "len(list(…))"),
    (r"can't concat str to bytes|can only concatenate str .* \"bytes\"", "data.decode('utf-8') + text"),
    (r"unsupported operand type\(s\) for >>: 'builtin_function_or_method'", "print(…, file=…)"),
    (r"sort\(\) takes no positional arguments", "items.sort(key=…)"),
    (r"sorted expected 1 argument, got", "sorted(items, key=…)"),
    (r"unexpected keyword argument 'encoding'", "leave encoding=… out: JSON is text already"),
    (r"a bytes-like object is required, not 'str'|must be encoded before hashing", "text.encode('utf-8')"),
    (r"'cmp' is an invalid keyword argument", "key=functools.cmp_to_key(…)"),
    (r"'\w+' object has no attribute 'next'", "next(iterator)"),
    (r"'\w*(?:Error|Exception)' object has no attribute 'message'", "str(error)"),
    (r"'method' object has no attribute 'im_\w+'", "__self__ and __func__"),
    (r"'function' object has no attribute 'func_\w+'", "__name__, __code__, __defaults__"),
]


def _hint(old: str, new: str) -> str:
    return f"{old} is Python 2; today: {new}"


def runtime_hint(error: BaseException, text: str) -> str | None:
    """Return today's spelling where an error comes from a name or method that only Python 2 had.

    Args:
        error: What the script raised.
        text: The error's text.
    """
    if isinstance(error, NameError):
        return _of_name(error.name or "")
    if isinstance(error, ModuleNotFoundError):
        name = error.name or ""
        return _hint(f"The module {name}", MODULES[name]) if name in MODULES else None
    if isinstance(error, AttributeError | ImportError):
        found = _of_member(error, text)
        if found:
            return found
    for pattern, new in _PATTERNS if isinstance(error, AttributeError | TypeError) else ():
        if re.search(pattern, text):
            return _hint("This", new)
    return None


def _of_name(name: str) -> str | None:
    return _hint(name, NAMES[name]) if name in NAMES else None


def _of_member(error: AttributeError | ImportError, text: str) -> str | None:
    """Find ``string.letters`` and ``d.has_key`` by what the error carries about owner and name."""
    if isinstance(error, ImportError):
        found = re.search(r"cannot import name '(\w+)' from '([\w.]+)'", text)
        owner, name = (found[2], found[1]) if found else ("", "")
    else:
        owner, name = getattr(error.obj, "__name__", ""), error.name or ""
    if f"{owner}.{name}" in MODULE_NAMES:
        return _hint(f"{owner}.{name}", MODULE_NAMES[f"{owner}.{name}"])
    return _hint(f".{name}", METHODS[name]) if name in METHODS and not owner else None
