// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Failures of single files, while others go on. */
/**
 * Have Uppy say that the upload has failed only when no file goes on any more.
 *
 * By itself its bar says so as soon as one file has failed, in the place of the progress and of the
 * buttons of the others. And to pause or resume all makes it forget which files had failed.
 */
export function settleFailures(uppy) {
    const failed = new Map();
    const forget = (file) => failed.delete(file?.id ?? '');
    const remind = () => {
        for (const [id, error] of failed)
            uppy.setFileState(id, { error });
    };
    uppy.on('upload-error', (file, { message }) => {
        if (file)
            failed.set(file.id, message);
        if (uppy.getFiles().some(goesOn))
            uppy.setState({ error: null });
    });
    uppy.on('complete', () => uppy.setState({ error: [...failed.values()].at(-1) ?? null }));
    uppy.on('pause-all', remind);
    uppy.on('resume-all', remind);
    uppy.on('file-removed', forget);
    uppy.on('upload-success', forget);
    uppy.on('upload-retry', forget);
    uppy.on('retry-all', (files) => files.forEach(forget));
}
function goesOn({ progress, error }) {
    return Boolean(progress.uploadStarted && !progress.uploadComplete && !error);
}
