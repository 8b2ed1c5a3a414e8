"""Clients of a kernel that take it as ready when it is; the stock clients listen 0.2 s longer for what never comes."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.blocking import BlockingKernelClient
from jupyter_core.utils import ensure_async, run_sync

# Clients of Jupyter, and ours in their place.
PROMPT = {
    "jupyter_client.asynchronous.AsyncKernelClient": "vlr_analysis.review.kernel_client.PromptAsyncClient",
    "jupyter_client.blocking.BlockingKernelClient": "vlr_analysis.review.kernel_client.PromptClient",
}
STEP = 1.0  # seconds to wait for an answer before asking again


class _Prompt:
    """Waits for a kernel that this process has started."""

    async def _async_wait_for_ready(self: Any, timeout: float | None = None) -> None:
        """Wait until the kernel has answered a question, and has said on the public channel that it is done with it.

        Raises
        ------
        RuntimeError
            The kernel died, or did not answer in time.
        """
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            asked = self.kernel_info()
            reply = await self._next(self.shell_channel, asked, "kernel_info_reply")
            if reply and await self._next(self.iopub_channel, asked, "status", execution_state="idle"):
                self._handle_kernel_info_reply(reply)
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    async def _next(self, channel: Any, asked: str, kind: str, **content: str) -> dict[str, Any] | None:
        """Return the next message of a kind about a question, dropping others; None if nothing comes for a while."""
        while True:
            try:
                message = await ensure_async(channel.get_msg(timeout=STEP))
            except Empty:
                return None
            about = message["parent_header"].get("msg_id") == asked and message["msg_type"] == kind
            if about and content.items() <= message["content"].items():
                return message


class PromptAsyncClient(_Prompt, AsyncKernelClient):
    """The client of nbclient and papermill."""

    wait_for_ready = _Prompt._async_wait_for_ready


class PromptClient(_Prompt, BlockingKernelClient):
    """The client of nbval."""

    wait_for_ready = run_sync(_Prompt._async_wait_for_ready)
