// Everything this page loads comes from this server.
window.ui = SwaggerUIBundle({
  url: "../openapi?format=JSON",
  dom_id: "#swagger-ui",
  validatorUrl: null,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});
