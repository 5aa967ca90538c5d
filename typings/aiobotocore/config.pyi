from collections.abc import Mapping

class AioConfig:
    def __init__(
        self,
        *,
        connect_timeout: float = ...,
        read_timeout: float = ...,
        max_pool_connections: int = ...,
        retries: Mapping[str, object] = ...,
        s3: Mapping[str, str] = ...,
        request_checksum_calculation: str = ...,
        response_checksum_validation: str = ...,
    ) -> None: ...
