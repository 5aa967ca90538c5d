// How much of the window a keyboard on the screen covers.

/** Pixels at the window's foot that the keyboard covers, as `height`. Reactive; to be used where a component begins. */
export function useKeyboard(): { readonly height: number } {
  let height = $state(0)
  $effect(() => {
    const view = window.visualViewport
    if (view === null) return
    const measure = (): void => {
      height = Math.max(0, Math.round(window.innerHeight - view.height - view.offsetTop))
    }
    view.addEventListener('resize', measure)
    view.addEventListener('scroll', measure)
    return () => {
      view.removeEventListener('resize', measure)
      view.removeEventListener('scroll', measure)
    }
  })
  return {
    get height() {
      return height
    },
  }
}
