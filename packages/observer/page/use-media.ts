/** Questions to the browser about its window, and their answers as these change. */

import { useEffect, useState } from 'preact/hooks'

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const follow = () => setHolds(list.matches)
    follow()
    list.addEventListener('change', follow)
    return () => list.removeEventListener('change', follow)
  }, [query])
  return holds
}

/** Whether the window is as narrow as a telephone. */
export function useNarrow(): boolean {
  return useMedia('(max-width: 640px)')
}
