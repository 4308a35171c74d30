// Has a worker thread read TypeScript, which it does not inherit from the thread that started it.

import { register } from 'tsx/esm/api'

register()
