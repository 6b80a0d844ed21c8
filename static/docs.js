// Shows the API's description. A file of its own, because the page's policy lets no script run that is written into it.

// Swagger UI is dark by a class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // Sends the cookie of a session along, where there is one.
  withCredentials: true,
  // Asks nobody else's server whether the description is valid.
  validatorUrl: null,
});
