"""What the planning process would have written for a job, as arguments of `bnbench train`."""

import json


def arguments(setting, folder):
    """The arguments by which a job finds its setting; they name a file, which is written into `folder`."""
    file = folder / f"planned-{setting.address}.json"
    file.write_text(json.dumps({"settings": {setting.address: json.loads(setting.to_json())}}))
    return ["--study", str(file), "--setting", setting.address]
