"""Checks a log from its published files, and proofs from it. Written from docs/formats/journal.md alone, with nothing but
Python's own library, so that it shares no line and no mistake with the program that it judges.

    python3 check_log.py log FOLDER KEY            every entry, every hash, the checkpoint
    python3 check_log.py proof FILE KEY DER [WITNESS KEY]
    python3 check_log.py growth FILE KEY CHECKPOINT

Says what it found as one JSON object; exit code 1 when something does not hold.
"""

import base64
import hashlib
import json
import os
import sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- Ed25519 (RFC 8032, 5.1.7), slow and plain

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * ROOT % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if (x & 1) != sign else x


def point(octets):
    number = int.from_bytes(octets, "little")
    y = number & ((1 << 255) - 1)
    x = recover_x(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, p):
    q = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            q = add(q, p)
        p = add(p, p)
        scalar >>= 1
    return q


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def ed25519(public, text, signature):
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % L
    left, right = multiply(s, BASE), add(r, multiply(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- checkpoints


class Wrong(Exception):
    pass


def need(holds, says):
    if not holds:
        raise Wrong(says)


def key_of(text, kind):
    name, key_id, encoded = text.strip().split("+", 2)
    octets = base64.b64decode(encoded, validate=True)
    need(octets[0] == kind and len(octets) == 33, "the key is of another type")
    need(sha256(name.encode(), b"\n", octets)[:4].hex() == key_id, "the key ID is not that of the key")
    return name, bytes.fromhex(key_id), octets[1:]


def signatures_of(note):
    text, lines = note.rsplit("\n\n", 1)
    found = []
    for line in lines.rstrip("\n").split("\n"):
        dash, name, encoded = line.split(" ")
        need(dash == "\u2014", "a signature line begins with an em dash")
        octets = base64.b64decode(encoded, validate=True)
        found.append((name, octets[:4], octets[4:]))
    return text + "\n", found


def open_checkpoint(note, key):
    name, key_id, public = key
    text, signatures = signatures_of(note)
    origin, size, root, end = text.split("\n")
    need(end == "" and origin == name and str(int(size)) == size, "the checkpoint is not three lines of this log")
    mine = [one[2] for one in signatures if one[:2] == (name, key_id)]
    need(mine and all(ed25519(public, text.encode(), one) for one in mine), "the log did not sign the checkpoint")
    return int(size), base64.b64decode(root, validate=True)


def witnessed(note, key):
    name, key_id, public = key
    text, signatures = signatures_of(note)
    for one in signatures:
        if one[:2] == (name, key_id):
            time = int.from_bytes(one[2][:8], "big")
            said = f"cosignature/v1\ntime {time}\n{text}"
            need(ed25519(public, said.encode(), one[2][8:]), "the witness did not sign the checkpoint")
            return time
    raise Wrong("the witness is not among those who signed")


# ---- the tree, straight from its definition


def leaf_hash(entry):
    return sha256(b"\x00", entry)


def root_of(hashes):
    if not hashes:
        return sha256()
    while len(hashes) > 1:
        # The last one of an odd row has no neighbour, and goes up as it is: the same tree.
        pairs = [sha256(b"\x01", hashes[n], hashes[n + 1]) for n in range(0, len(hashes) - 1, 2)]
        hashes = pairs + ([hashes[-1]] if len(hashes) % 2 else [])
    return hashes[0]


def split(size):
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def root_by_inclusion(index, size, leaf, proof):
    """The root that an inclusion proof leads to (RFC 6962, 2.1.1, read from its end)."""
    if size == 1:
        need(not proof, "the proof is too long")
        return leaf
    need(proof, "the proof is too short")
    k = split(size)
    if index < k:
        return sha256(b"\x01", root_by_inclusion(index, k, leaf, proof[:-1]), proof[-1])
    return sha256(b"\x01", proof[-1], root_by_inclusion(index - k, size - k, leaf, proof[:-1]))


def roots_by_consistency(old, new, proof, whole, old_root):
    """Both roots that a consistency proof leads to (RFC 6962, 2.1.2, SUBPROOF read from its end)."""
    if old == new:
        if whole:
            need(not proof, "the proof is too long")
            return old_root, old_root
        need(len(proof) == 1, "the proof does not end")
        return proof[0], proof[0]
    need(proof, "the proof is too short")
    k = split(new)
    if old <= k:
        left_old, left_new = roots_by_consistency(old, k, proof[:-1], whole, old_root)
        return left_old, sha256(b"\x01", left_new, proof[-1])
    right_old, right_new = roots_by_consistency(old - k, new - k, proof[:-1], False, old_root)
    return sha256(b"\x01", proof[-1], right_old), sha256(b"\x01", proof[-1], right_new)


# ---- files


def name_of(level, index, width):
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[n : n + 3] for n in range(0, len(digits), 3)]
    path = "/".join(["x" + group for group in groups[:-1]] + [groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == 256 else f".p/{width}")


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def rows(count):
    return [(n, min(256, count - 256 * n)) for n in range((count + 255) // 256)]


def read_bundle(octets):
    entries, at = [], 0
    while at < len(octets):
        length = int.from_bytes(octets[at : at + 2], "big")
        need(at + 2 + length <= len(octets), "a bundle is cut short")
        entries.append(octets[at + 2 : at + 2 + length])
        at += 2 + length
    return entries


def plain(value):
    """What may stand in an entry: no fractions, no number beyond 2^53 - 1."""
    if isinstance(value, dict):
        return all(plain(one) for one in value.values())
    if isinstance(value, list):
        return all(plain(one) for one in value)
    return not isinstance(value, float) and (not isinstance(value, int) or abs(value) < 2**53)


def in_order(value):
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value, key=lambda one: one.encode("utf-16-be"))}
    return [in_order(one) for one in value] if isinstance(value, list) else value


def read_entry(octets):
    entry = json.loads(octets.decode("utf-8"))
    canonical = json.dumps(in_order(entry), separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    need(canonical == octets and plain(entry), "an entry is not in canonical form")
    need(isinstance(entry["act"], str) and len(entry["at"]) == 24 and entry["at"].endswith("Z"), "no act, or no time")
    return entry


def check_log(folder, key):
    size, root = open_checkpoint(read(folder, "checkpoint").decode("utf-8"), key)
    hashes, acts, wrong = [], {}, []
    for index, width in rows(size):
        entries = read_bundle(read(folder, name_of("entries", index, width)))
        need(len(entries) == width, f"bundle {index} has {len(entries)} entries")
        stored = read(folder, name_of(0, index, width))
        for at, entry in enumerate(entries):
            hashes.append(leaf_hash(entry))
            if stored[32 * at : 32 * at + 32] != hashes[-1]:
                wrong.append(256 * index + at)
            else:
                act = read_entry(entry)["act"]
                acts[act] = acts.get(act, 0) + 1
    need(not wrong, f"the entries at {wrong} are not those whose hashes are there")
    need(root_of(hashes) == root, "the entries do not give the root that was signed")
    level, row = 0, hashes
    while row:
        for index, width in rows(len(row)):
            stored = read(folder, name_of(level, index, width))
            need(stored == b"".join(row[256 * index : 256 * index + width]), f"tile {index} of level {level}")
        row = [root_of(row[n : n + 256]) for n in range(0, len(row) // 256 * 256, 256)]
        level += 1
    return {"size": size, "root": root.hex(), "acts": acts}


def check_proof(text, key, der, witness=None):
    head, note = text.split("\n\n", 1)
    version, extra, index, *lines = head.split("\n")
    need(version == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index "), "no proof")
    size, root = open_checkpoint(note, key)
    told = json.loads(base64.b64decode(extra[6:], validate=True))
    octets = told["entry"].encode("utf-8")
    proof = [base64.b64decode(line, validate=True) for line in lines]
    need(int(index[6:]) < size, "the position is beyond the tree")
    need(root_by_inclusion(int(index[6:]), size, leaf_hash(octets), proof) == root, "the entry is not in the log")
    entry = read_entry(octets)
    need(entry["act"] == "issue", "the entry does not say that something was issued")
    if "sha256" in entry:
        need(entry["sha256"] == hashlib.sha256(der).hexdigest(), "the entry is of another certificate")
    else:
        group = told["group"]
        need(group["size"] == entry["count"] and 0 <= group["position"] < group["size"], "the group is of another size")
        hashes = [bytes.fromhex(one) for one in group["proof"]]
        found = root_by_inclusion(group["position"], group["size"], leaf_hash(der), hashes)
        need(found.hex() == entry["root"], "the certificate is not in the group of the entry")
    return {"size": size, "entry": entry, **({"witnessed": witnessed(note, witness)} if witness else {})}


def check_growth(text, key, kept):
    head, note = text.split("\n\n", 1)
    old, *lines = head.split("\n")
    size, root = open_checkpoint(note, key)
    before, before_root = open_checkpoint(kept, key)
    need(old == f"old {before}" and before <= size, "the proof begins elsewhere")
    proof = [base64.b64decode(line, validate=True) for line in lines]
    need(before > 0, "nothing was kept")
    roots = roots_by_consistency(before, size, proof, True, before_root)
    need(roots == (before_root, root), "the log does not continue what was kept")
    return {"size": size, "before": before}


def main(what, file, key, *more):
    log_key = key_of(key, 1)
    if what == "log":
        return check_log(file, log_key)
    with open(file, encoding="utf-8", newline="") as text:
        content = text.read()
    with open(more[0], "rb") as given:
        thing = given.read()
    if what == "growth":
        return check_growth(content, log_key, thing.decode("utf-8"))
    return check_proof(content, log_key, thing, key_of(more[1], 4) if len(more) > 1 else None)


if __name__ == "__main__":
    try:
        print(json.dumps({"holds": True, **main(*sys.argv[1:])}))
    except (Wrong, ValueError, KeyError, OSError) as cause:
        print(json.dumps({"holds": False, "why": str(cause)}))
        sys.exit(1)
