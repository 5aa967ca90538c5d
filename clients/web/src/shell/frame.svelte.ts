// What of the frame is open: drawer, sidebar, palette, keyboard help. Shared with the bars of pages.
import { getContext, setContext } from 'svelte'
import { local } from '../device/local'

const KEY = Symbol('frame')
const KEPT = 'parvis.sidebar'

export class FrameState {
  /** The sidebar as a drawer, on a phone. */
  isDrawerOpen = $state(false)
  /** The sidebar, where there is room for it. */
  isSidebarShown = $state(local.get(KEPT) !== 'hidden')
  isPaletteOpen = $state(false)
  isHelpOpen = $state(false)
  isNoticesOpen = $state(false)
  /** The page stands in the frame: it has a sidebar beside it. */
  hasSidebar = $state(false)
  signingOut = $state(false)

  toggleSidebar(): void {
    this.isSidebarShown = !this.isSidebarShown
    local.set(KEPT, this.isSidebarShown ? 'shown' : 'hidden')
  }
}

export function provideFrame(): FrameState {
  return setContext(KEY, new FrameState())
}

export function useFrame(): FrameState {
  return getContext<FrameState>(KEY)
}
