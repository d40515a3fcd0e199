// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The unit tests: everything of the browser's that they need is in happy-dom or in tests/fakes. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'] },
})
