"""Bodies of the routes that change certificates."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from hub.lifecycle.annotations import Annotation
from hub.lifecycle.schemas import CustomValues


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnnotateBody(_Body):
    """What is said about a certificate; what is absent stays as it is."""

    comments: str | None = Field(default=None, max_length=4000)
    external_requester: str | None = Field(default=None, max_length=1000)
    custom_fields: CustomValues = Field(default_factory=dict)

    def typed(self) -> Annotation:
        """Return it as the lifecycle takes it."""
        return Annotation(
            comments=self.comments,
            external_requester=self.external_requester,
            custom_fields=self.custom_fields,
        )


class NotificationsBody(_Body):
    """Whether notifications of the certificate are held back."""

    suspended: bool


class OwnerBody(_Body):
    """Whose a certificate becomes."""

    organization_id: int
    department_id: int | None = None
