# Check which nodes are available
curl http://localhost:8001/api/nodes | python3 -m json.tool
