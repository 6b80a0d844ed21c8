// Runs before the first paint: the theme that was chosen, if it is not the system's.
(() => {
  try {
    const theme = localStorage.getItem("kafka.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage it is the system's.
  }
})();
