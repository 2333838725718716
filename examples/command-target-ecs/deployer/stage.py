"""Which image a version is: its digest."""

import re

from contract import Refused

ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^:@]+)")


def stage(settings, request):
    image = request["artifact"].get("image")
    if image is None:
        raise Refused("unsupported", "ECS runs images, not files", "write `image` in place of `artifact`")
    name, _, digest = image.partition("@")
    repository = ECR.match(name)
    if repository is None:
        if not digest:
            raise Refused(
                "unsupported", f"the digest of {image} can be asked for in ECR only",
                f"write the image with its digest: {name}@sha256:…",
            )
        return {"staged": {"digest": digest}}
    _, _, tag = name[repository.start("name"):].partition(":")
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag or request["version"]}
    answer = settings.aws.ask("ecr", "DescribeImages", {
        "registryId": repository["account"], "repositoryName": repository["name"], "imageIds": [wanted],
    })
    return {"staged": {"digest": answer["imageDetails"][0]["imageDigest"]}}
