/** VitePress's own theme, with the contrast and the landmarks that WCAG 2 asks for. */

import { useRoute } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { defineComponent, h, nextTick, onMounted, watch } from 'vue'
import './style.css'

/** The home page of the theme has no `main`. */
function markMain(): void {
  const content = document.getElementById('VPContent')
  if (content?.classList.contains('is-home')) content.setAttribute('role', 'main')
  else content?.removeAttribute('role')
}

const Layout = defineComponent(() => {
  const route = useRoute()
  onMounted(markMain)
  watch(
    () => route.path,
    () => nextTick(markMain),
  )
  return () => h(DefaultTheme.Layout)
})

export default { extends: DefaultTheme, Layout }
