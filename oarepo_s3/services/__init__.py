# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The use cases. They take ids and values, never a request, and know nothing of HTTP."""

from __future__ import annotations

from .abort import abort_upload
from .complete import complete_upload
from .create import NewUpload, create_upload, open_for_version
from .figures import Figures, read_figures
from .forms import open_form
from .grants import (
    GrantedPlace,
    IssuedGrant,
    PlannedGrant,
    grant_scope,
    grant_upload,
    plan_scope_grant,
    plan_upload_grant,
    remove_old_grants,
)
from .locations import (
    KnownLocation,
    LocationInUse,
    all_locations,
    default_location,
    find_location,
    location_differs,
    set_location,
)
from .orphans import OrphanCounts, sweep_orphans
from .parts import (
    PartUrl,
    every_part,
    first_window,
    part_checksums,
    parts_after,
    sign_parts,
    uploaded_parts,
)
from .profiles import forget_kept_profile, keep_profile, kept_profile, place_of
from .queries import (
    OwnedUpload,
    UploadFilter,
    UploadPage,
    UploadSums,
    all_uploads,
    find_owners,
    find_upload,
    find_user_id,
    get_upload,
    list_uploads,
    sum_uploads,
    upload_of_file,
)
from .recover import RecoverCounts, due_for_recovery, recover_interrupted
from .removed import abort_removed
from .scopes import (
    NewScope,
    create_scope,
    find_scope,
    get_scope,
    list_scopes,
    remove_scope,
    scope_of_bucket,
    scope_of_place,
    scope_uri,
)
from .store_side import StoredObject, StoreSide, look_at_store
from .sweep import SweepCounts, due_for_sweep, sweep_expired
from .sync import Change, sync_scope
from .sync_all import sync_all
from .sync_counts import SyncCounts, SyncTotals
from .tokens import IssuedToken, issue_token, read_token, remove_expired_tokens, revoke_token
from .trial import try_upload
from .verify import VerifyCounts, verify_declared

__all__ = (
    "Change",
    "Figures",
    "GrantedPlace",
    "IssuedGrant",
    "IssuedToken",
    "KnownLocation",
    "LocationInUse",
    "NewScope",
    "NewUpload",
    "OrphanCounts",
    "OwnedUpload",
    "PartUrl",
    "PlannedGrant",
    "RecoverCounts",
    "StoreSide",
    "StoredObject",
    "SweepCounts",
    "SyncCounts",
    "SyncTotals",
    "UploadFilter",
    "UploadPage",
    "UploadSums",
    "VerifyCounts",
    "abort_removed",
    "abort_upload",
    "all_locations",
    "all_uploads",
    "complete_upload",
    "create_scope",
    "create_upload",
    "default_location",
    "due_for_recovery",
    "due_for_sweep",
    "every_part",
    "find_location",
    "find_owners",
    "find_scope",
    "find_upload",
    "find_user_id",
    "first_window",
    "forget_kept_profile",
    "get_scope",
    "get_upload",
    "grant_scope",
    "grant_upload",
    "issue_token",
    "keep_profile",
    "kept_profile",
    "list_scopes",
    "list_uploads",
    "location_differs",
    "look_at_store",
    "open_for_version",
    "open_form",
    "part_checksums",
    "parts_after",
    "place_of",
    "plan_scope_grant",
    "plan_upload_grant",
    "read_figures",
    "read_token",
    "recover_interrupted",
    "remove_expired_tokens",
    "remove_old_grants",
    "remove_scope",
    "revoke_token",
    "scope_of_bucket",
    "scope_of_place",
    "scope_uri",
    "set_location",
    "sign_parts",
    "sum_uploads",
    "sweep_expired",
    "sweep_orphans",
    "sync_all",
    "sync_scope",
    "try_upload",
    "upload_of_file",
    "uploaded_parts",
    "verify_declared",
)
