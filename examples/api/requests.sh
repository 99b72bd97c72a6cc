# Synchronous mode (wait for completion, < 4 hours)
curl -X POST "http://localhost:8001/api/submit?wait=true" \
  -F "code=@your_solution.py" \
  -F "config_file=@config.yaml"

# Asynchronous mode (submit and return immediately)
curl -X POST "http://localhost:8001/api/submit?wait=false" \
  -F "code=@your_solution.py" \
  -F "config_file=@config.yaml"

curl http://localhost:8001/api/status/YOUR_JOB_ID

curl http://localhost:8001/api/results/YOUR_JOB_ID

curl -X POST http://localhost:8001/api/cancel/YOUR_JOB_ID \
  -H "Authorization: Bearer YOUR_TOKEN"

curl http://localhost:8001/api/nodes

# All jobs
curl http://localhost:8001/api/jobs

# Filter by user
curl http://localhost:8001/api/jobs?user_id=sarang

# Filter by status
curl http://localhost:8001/api/jobs?status=completed

# Limit results
curl http://localhost:8001/api/jobs?limit=10
