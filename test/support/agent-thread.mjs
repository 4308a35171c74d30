// Loads the agent in a thread, which gets no loader of TypeScript from the thread that has started it.

import { register } from 'tsx/esm/api'

register()
export const { serve } = await import('./job-server.ts')
