-- Asks Holdfast whether the client of a request may pass. Sets txn.holdfast_status: 200, 401, or 403 for all else.
-- Environment: HOLDFAST_ADMISSION_URL, and HOLDFAST_ADMISSION_SOCKET or HOLDFAST_ENFORCEMENT_POINT_TOKEN.

local url = os.getenv('HOLDFAST_ADMISSION_URL')
local socket = os.getenv('HOLDFAST_ADMISSION_SOCKET')
local token = os.getenv('HOLDFAST_ENFORCEMENT_POINT_TOKEN')
local TIMEOUT_MS = 2000

local IDENTITY = {
  'holdfast-participant', 'holdfast-application', 'holdfast-organisation', 'holdfast-on-behalf-of',
  'holdfast-roles', 'holdfast-seq', 'holdfast-valid-until',
}

local function question(txn)
  local certificate = txn.f:ssl_c_der()
  local headers = { ['client-cert'] = { ':' .. (certificate and txn.c:base64(certificate) or '') .. ':' } }
  local authorization = txn.http:req_get_headers()['authorization']
  if authorization then
    headers['authorization'] = {}
    for index, value in pairs(authorization) do headers['authorization'][index + 1] = value end
  end
  if token and token ~= '' then headers['holdfast-enforcement-point'] = { token } end
  local asked = { url = url, headers = headers, timeout = TIMEOUT_MS }
  if socket and socket ~= '' then asked.dst = 'unix@' .. socket end
  return asked
end

core.register_action('holdfast_admission', { 'http-req' }, function(txn)
  txn:set_var('txn.holdfast_status', 403)
  txn:set_var('txn.holdfast_reason', 'holdfast_unreachable')
  local answered, answer = pcall(function() return core.httpclient():get(question(txn)) end)
  if not answered or not answer or not answer.headers then return end
  local reason = answer.headers['holdfast-reason']
  if reason then txn:set_var('txn.holdfast_reason', reason[0]) end
  if answer.status == 401 then txn:set_var('txn.holdfast_status', 401) end
  if answer.status ~= 200 then return end
  for _, name in ipairs(IDENTITY) do
    local value = answer.headers[name]
    if value and value[0] ~= '' then txn.http:req_set_header(name, value[0]) end
  end
  txn:set_var('txn.holdfast_status', 200)
end, 0)
