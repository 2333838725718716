"""What this program may answer beside a result: see docs/command-target.md."""


class Refused(Exception):
    """It cannot be done. `kind` says whether asking again may help."""

    def __init__(self, kind, message, mend=None, **more):
        super().__init__(message)
        self.error = {"kind": kind, "message": message, **more}
        if mend:
            self.error["mend"] = mend


class Pending(Exception):
    """It is under way: AWS goes on without us, and Pilotage asks again."""

    def __init__(self, message, again_ms=2000):
        super().__init__(message)
        self.pending = {"message": message, "again_ms": again_ms}
