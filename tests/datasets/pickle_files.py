"""Pickles for the reader's tests: as Python 2 and 3 write them, and 60 hostile or broken ones."""

import pickle
import struct
import types
import zlib

import numpy as np

# What must load.


class _Python2Pickler(pickle._Pickler):
    """cPickle of Python 2: str and bytes become STRING, numpy keeps its old module names."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, text):
        if self.proto == 0:
            self.write(b"S" + repr(text)[1:].encode("latin1") + b"\n")
        elif len(text) < 256:
            self.write(b"U" + bytes([len(text)]) + text)
        else:
            self.write(b"T" + struct.pack("<i", len(text)) + text)
        self.memoize(text)

    def save_str(self, text):
        self.save_bytes(text.encode("latin1"))

    def save_global(self, target, name=None):
        known = {np.ndarray: "numpy\nndarray", np.dtype: "numpy\ndtype"}
        is_type = isinstance(target, type)
        full = known[target] if is_type else f"numpy.core.multiarray\n{target.__name__}"
        self.write(b"c" + full.encode() + b"\n")
        self.memoize(target)

    dispatch[bytes] = save_bytes
    dispatch[str] = save_str
    for _kind in (type, type(len), types.FunctionType):
        dispatch[_kind] = save_global


class _Sink(list):
    write = list.append


def python2(value, protocol):
    """Bytes of `value` as Python 2 pickles it."""
    sink = _Sink()
    _Python2Pickler(sink, protocol).dump(value)
    return b"".join(sink)


def blocks(frames, modulations=("8PSK", "QPSK", "AM-SSB"), snrs=range(-4, 6, 2)):
    """Random {(modulation, snr): (frames, 2, 128) float32}, distinct in every frame."""
    rng = np.random.default_rng(0)
    return {
        (modulation, snr): rng.standard_normal((frames, 2, 128)).astype(np.float32)
        for modulation in modulations
        for snr in snrs
    }


def legitimate(value):
    """The nine forms in which writers of such files exist."""
    return {f"Python 2, protocol {p}": python2(value, p) for p in range(3)} | {
        f"Python 3, protocol {p}": pickle.dumps(value, p) for p in range(6)
    }


# Pieces of hand-written protocol 0 files.

RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
EMPTY_ARRAY = RECONSTRUCT + b"(I0\ntS'b'\ntR"
BIG_ENDIAN = b"(I3\nS'>'\nNNNI-1\nI-1\nI0\ntb"
OBJECTS = b"(I3\nS'|'\nNNNI-1\nI-1\nI63\ntb"


def dtype(code, state=b"(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"):
    return b"cnumpy\ndtype\n(S'" + code + b"'\nI0\nI1\ntR" + state


def array(shape, number, data, fortran=b"I00\n"):
    sides = b"".join(b"L%dL\n" % side for side in shape)
    return EMPTY_ARRAY + b"(I1\n(" + sides + b"t" + number + fortran + data + b"tb"


def entry(value, key=b"(S'8PSK'\nI0\nt"):
    return key + value + b"s"


def one(value):
    return b"(d" + entry(value) + b"."


ONE_FLOAT = array((1,), dtype(b"f4"), b"S'abcd'\n")


def _doubled_tuples(depth):
    """Each tuple holds the one before twice: 2^depth items in a few bytes."""
    return b")q\x00" + b"".join(
        b"0h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) for i in range(depth)
    )


def attacks(witness):
    """{name: bytes}: 60 files that must be refused. Those that run code would create `witness`."""
    touch = f"touch {witness}".encode()
    create = f"open({str(witness)!r}, 'w')".encode()
    good, good0 = python2(blocks(20), 2), python2(blocks(20), 0)
    system = b"cposix\nsystem\n(S'" + touch + b"'\ntR."
    code = {
        "os.system": system,
        "builtins.eval": b"\x80\x02cbuiltins\neval\nX"
        + struct.pack("<I", len(create)) + create + b"\x85R.",
        "__builtin__.eval": b"c__builtin__\neval\n(S'1'\ntR.",
        "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0ef2py.os.system\x93\x8c"
        + bytes([len(touch)]) + touch + b"\x85R.",
        "dotted allowed name": b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.",
        "INST": b"(S'" + touch + b"'\niposix\nsystem\n.",
        "OBJ": b"(cposix\nsystem\nS'" + touch + b"'\no.",
        "EXT1": b"\x80\x02\x82\x01.",
        "PERSID": b"Pid\n.",
        "runstring": b"cnumpy.testing._private.utils\nrunstring\n(S'1'\n}tR.",
        "memmap": b"cnumpy\nmemmap\n(S'/etc/passwd'\ntR.",
        "OrderedDict": b"ccollections\nOrderedDict\n(tR.",
        "numpy scalar": b"cnumpy.core.multiarray\nscalar\n(" + dtype(b"O8", OBJECTS)
        + b"S'x'\ntR.",
        "second pickle": good + system,
    }  # fmt: skip
    allocation = {
        "NEWOBJ": b"\x80\x02cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85\x85\x81.",
        "NEWOBJ_EX": b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93J\xff\xff\xff\x7f\x85\x85}\x92.",
        "reconstruct 10^10": b"(d(S'a'\nI0\nt" + RECONSTRUCT + b"(L10000000000L\ntS'b'\ntRs.",
        "reconstruct 10^18": RECONSTRUCT + b"(L1000000000000000000L\ntS'b'\ntR.",
        "10^9 floats in 4 bytes": one(array((10**9,), dtype(b"f4"), b"S'abcd'\n")),
        "shape product 2^64": one(array((2**32, 2**32), dtype(b"f4"), b"S'abcd'\n")),
        "negative shape": one(array((-5,), dtype(b"f4"), b"S''\n")),
        "LONG_BINPUT 2^31-1": b"\x80\x02}r\xff\xff\xff\x7f.",
        "LONG_BINPUT 2^32-1": b"\x80\x02}r\xff\xff\xff\xff.",
        "LONG_BINPUT 2^27": b"\x80\x02}r" + struct.pack("<I", 2**27) + b".",
        "PUT 10^12": b"(dp1000000000000\n.",
        "BINBYTES8 2^40": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
        "BINBYTES8 8 GB": b"\x80\x04\x8e" + struct.pack("<Q", 8 << 30) + b"abc.",
        "BINUNICODE 4 GB": b"\x80\x02X\xff\xff\xff\xffabc.",
        "BYTEARRAY8 8 GB": b"\x80\x05\x96" + struct.pack("<Q", 8 << 30) + b"abc.",
        "FRAME 2^60": b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"}.",
        "LONG4 2^31-1": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",
        "LONG 5 million digits": b"L" + b"9" * 5_000_000 + b"L\n.",
    }
    dtypes = {
        "objects": one(array((2,), dtype(b"O8", OBJECTS), b"(lp1\nI1\naI2\na")),
        "array holding itself": one(
            EMPTY_ARRAY + b"p7\n(I1\n(I1\nt" + dtype(b"O8", OBJECTS) + b"I00\n(lg7\natb"
        ),
        "V0 of 10^15": one(array((10**15,), dtype(b"V0"), b"S''\n")),
        "sub-array of 10^11": one(array(
            (1,),
            b"cnumpy\ndtype\n(S'V4'\nI0\nI1\ntR(I3\nS'|'\n(" + dtype(b"f4")
            + b"(L100000000000L\nttNNI4\nI1\nI0\ntb",
            b"S'abcd'\n",
        )),
    }  # fmt: skip
    nesting = {
        "3 million TUPLE1": b"\x80\x02)" + b"\x85" * 3_000_000 + b".",
        "3 million MARK": b"(" * 3_000_000 + b".",
        "billion laughs": b"\x80\x02}" + _doubled_tuples(60) + b"K\x01s.",
        "billion laughs as key": b"\x80\x02}" + _doubled_tuples(34) + b"h\x22K\x01s.",
        "dict holding itself": b"(dp0\n(S'8PSK'\nI0\ntg0\ns.",
        "list holding itself in a key": b"(d(lp0\ng0\naI1\ns.",
    }
    state = {
        "BUILD on a function": b"\x80\x04\x8c\x13numpy._core.numeric\x8c\x0b_frombuffer\x93N}"
        b"\x8c\x0c__defaults__Ns\x86b.",
        "BUILD on the shared dtype": one(
            array((1,), b"cnumpy\ndtype\n(S'f4'\nI0\nI0\ntR" + BIG_ENDIAN, b"S'abcd'\n")
        ),
        "zlib codec": b"c_codecs\nencode\n(Vaaaa\nVzlib_codec\ntR.",
        "idna codec": b"c_codecs\nencode\n(V" + b"a." * 200_000 + b"\nVidna\ntR.",
    }
    broken = {
        "half of protocol 2": good[: len(good) // 2],
        "half of protocol 0": good0[: len(good0) // 2],
        "one byte short": good[:-1],
        "empty": b"",
        "git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 6\n",
        "HTML": b"<!DOCTYPE html><html>404</html>",
        "gzip": b"\x1f\x8b\x08\x00" + zlib.compress(good[:1000]),
        "bzip2": b"BZh91AY&SY" + b"\0" * 50,
    }
    content = {
        "list on top": pickle.dumps([1, 2, 3], 2),
        "dict of str": pickle.dumps({"a": 1}, 2),
        "value is a list": b"(d(S'8PSK'\nI0\nt(lI1\nas.",
        "key of three": b"(d" + entry(ONE_FLOAT, b"(S'8PSK'\nI0\nI0\nt") + b".",
        "same key twice": b"(d" + 2 * entry(ONE_FLOAT) + b".",
        "bool as snr": b"(d" + entry(ONE_FLOAT, b"(S'8PSK'\nI01\nt") + b".",
    }
    return code | allocation | dtypes | nesting | state | broken | content
