// Before the first paint, or a chosen theme would flash.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Private windows may refuse; the system's theme is used then.
}
