"""The body and the headers of a submit."""

import json

BOUNDARY = "gpuq-faults"
CONFIG = {"competition_id": "random-acts-of-pizza", "user_id": "sarang", "token": "sarang", "expected_time": 1}


def submission(token, solution, key=False, **settings):
    """@param token: names the submit in everything that comes of it; also its idempotency key, if it has one."""
    config = "".join(f"{name}: {json.dumps(value)}\n" for name, value in (CONFIG | {"project_id": token} | settings).items())
    parts = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n{text}\r\n'
             for name, text in (("code", solution), ("config_file", config)))
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **({"Idempotency-Key": token} if key else {})}
    return "".join(parts) + f"--{BOUNDARY}--\r\n", headers
