// Before the first paint: the chosen appearance and language, so that nothing flashes.
(function () {
  try {
    var theme = localStorage.getItem('parvis.theme')
    if (theme) document.documentElement.dataset.theme = theme
    var language = localStorage.getItem('parvis.language')
    if (language) document.documentElement.lang = language
  } catch (error) {
    // Storage is closed to this page: then the device's appearance it is.
  }
})()
