// Swagger UI over our own OpenAPI document, signed in by the session if there is one.

const root = document.documentElement;
const { url, csrfToken } = document.getElementById("swagger-ui").dataset;

// Swagger UI has one class per colour scheme; ours follows the system unless the profile fixes one.
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => root.classList.toggle("dark-mode", root.dataset.theme === "DARK" || (root.dataset.theme !== "LIGHT" && prefersDark.matches));
prefersDark.addEventListener("change", dress);
dress();

SwaggerUIBundle({
  url,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  syntaxHighlight: false, // its colours are too faint
  validatorUrl: null, // or it sends the document to its makers' server
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin === location.origin) request.headers["X-CSRFToken"] = csrfToken;
    return request;
  },
});
