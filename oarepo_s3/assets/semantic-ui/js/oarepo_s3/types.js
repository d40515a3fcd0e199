// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The options of the plugin, and what the REST API says. */
export {};
