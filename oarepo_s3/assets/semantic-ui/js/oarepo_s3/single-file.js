// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** A file that is alone in the Dashboard. */
/**
 * Make the frame of a single file a list, whenever the Dashboard draws it.
 *
 * Uppy makes the file an item of a list, and its frame no list, which screen readers cannot follow.
 *
 * @returns what ends it
 */
export function frameSingleFile(root) {
    const mend = () => {
        const frame = root.querySelector('.uppy-Dashboard-files:not([role])');
        frame?.setAttribute('role', 'list');
    };
    const observer = new MutationObserver(mend);
    observer.observe(root, { childList: true, subtree: true });
    return () => observer.disconnect();
}
